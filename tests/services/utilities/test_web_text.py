"""Web pages become Markdown or plain text, whatever they hold, and no other call waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_native_mcp.errors import ToolError
from cloud_native_mcp.services.utilities.web_text import WebText, to_text, web_text
from cloud_native_mcp.upstream.bounded_process import BoundedProcess, P, T

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "https://site.example/docs/page"


def page(html: str, *, plain: bool = False) -> WebText:
    return to_text(html.encode(), "utf-8", BASE, plain)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h2>Two <em>words</em></h2>", "## Two *words*"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p>a <b>bold</b> and <code>code</code></p>", "a **bold** and `code`"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<ul><li><p>a</p><pre>b\nc</pre></ul>", "- a\n\n  ```\n  b\n  c\n  ```"),
        ("<pre><code class=language-yaml>a:\n  b: &lt;c&gt;</code></pre>", "```yaml\na:\n  b: <c>\n```"),
        ("<pre>has ``` inside</pre>", "````\nhas ``` inside\n````"),
        ("<table><tr><th>A<th>B<tr><td>1<td>x|y</table>", "| A | B |\n| --- | --- |\n| 1 | x\\|y |"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &copy; &#x41;", "1 < 2 && 3 > 2 \u00a9 A"),
        ("<p>a\x00b", "ab"),
        ("", ""),
    ],
)
def test_html_becomes_markdown(html: str, expected: str) -> None:
    assert page(html).text == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='other'>t</a>", "[t](https://site.example/docs/other)"),
        ("<a href='/top?a=b&amp;c#d'>t</a>", "[t](https://site.example/top?a=b&c#d)"),
        ("<a href='//cdn.example/x'>t</a>", "[t](https://cdn.example/x)"),
        ("<img src=/i.png alt='A picture'>", "![A picture](https://site.example/i.png)"),
        ("<base href='https://other.example/'><a href=x>t</a>", "[t](https://other.example/x)"),
        ("<base href='/v2/'><a href=x>t</a>", "[t](https://site.example/v2/x)"),
    ],
)
def test_links_and_pictures_are_absolute(html: str, expected: str) -> None:
    assert page(html).text == expected


@pytest.mark.parametrize(
    "html",
    [
        "<script>if (a < b) '</p>'</script><style>p{}</style>text",
        '<head><script type=\'application/ld+json\'>{"a": "</p>"}</script></head>text',
        "<svg><title>icon</title><text>no</text></svg>text<!-- <p>no</p> -->",
        "text<iframe src=x>no</iframe><video src=y>no</video><object data=z>no</object>",
        "<title>no</title><meta name=description content=no><meta property='og:title' content=no>text",
        "<noscript>no</noscript><template>no</template>text<p hidden>no</p>",
        "text<img src='data:image/png;base64,bm8='>",
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_only_what_a_reader_sees_is_kept(html: str, plain: bool) -> None:
    assert page(html, plain=plain).text == "text"


@pytest.mark.parametrize("tag", ["form", "nav", "aside", "header", "footer"])
def test_text_is_kept_wherever_a_page_puts_it(tag: str) -> None:
    assert page(f"<body><{tag}><h1>Head</h1><p>text</p></{tag}></body>").text == "# Head\n\ntext"


def test_plain_text_has_no_marks() -> None:
    html = "<h1>H</h1><p><b>a</b> <a href=/x>link</a></p><ul><li>i</ul><table><tr><td>1<td>2<tr><td>3<td>4</table>"
    assert page(html, plain=True).text == "H\n\na link\n\n- i\n\n1\t2\n3\t4"


@pytest.mark.parametrize("plain", [False, True])
def test_the_title_is_told_apart_from_the_text(plain: bool) -> None:
    found = page("<head><title>A &amp;\n B</title></head><body>text", plain=plain)
    assert (found.title, found.text) == ("A & B", "text")


def test_elements_too_deep_inside_others_are_left_out_and_it_is_told() -> None:
    assert page("<div>" * 100 + "deep").text == "deep"
    assert not page("<div>" * 100 + "deep").cut
    found = page("<p>first</p>" + "<div>" * 1_000 + "deep" + "</div>" * 1_000 + "<p>last</p>")
    assert found.cut
    assert found.text == "first\n\nlast"


def test_what_only_claims_to_be_a_page_is_refused() -> None:
    with pytest.raises(ToolError, match="the page is not HTML") as refused:
        page("%PDF-1.7 text")
    assert refused.value.code == "unsupported_type"


ATTACKS = {
    "open tags": "<div>" * 100_000,
    "nested tags": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "open lists": "<ul><li>" * 50_000,
    "lists and code": "<ol><li><pre>x" * 20_000,
    "open quotes": "<blockquote>x" * 50_000,
    "open attribute": '<a x="' * 60_000,
    "many attributes": "<a " + "x " * 500_000,
    "open comments": "<!--" * 100_000,
    "less-than signs": "<" * 1_000_000,
    "links": "<a href=x>y" * 60_000,
    "cells": "<table><tr>" + "<td>x" * 100_000,
    "tables": "<table><tr><td>x" * 30_000,
    "spans": "<table>" + "<tr><td rowspan=60000 colspan=1000>x" * 1_000,
    "scripts": "<script>" * 60_000,
    "marks": "<i><b>x" * 60_000,
    "long text": "word " * 900_000,
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_hostile_page_is_read_within_bounds(name: str) -> None:
    found = await web_text(ATTACKS[name].encode(), "", BASE, BoundedProcess(), plain=False)
    assert len(found.text) < 20_000_000


async def test_only_small_pages_are_converted_in_this_process() -> None:
    class Told(BoundedProcess):
        runs = 0

        async def run(self, kind: type[T], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
            self.runs += 1
            return await super().run(kind, function, *args, **kwargs)

    process = Told()
    await web_text(b"x" * 10_000, "", BASE, process, plain=False)
    assert process.runs == 0
    await web_text(b"x" * 10_001, "", BASE, process, plain=False)
    assert process.runs == 1


async def test_a_large_page_reads_the_same_as_a_small_one() -> None:
    html = "<title>T</title>" + "<h2>Head</h2><p>See <a href=x>more</a> gr\u00fc\u00df.</p>" * 400
    body = html.encode("latin-1")
    found = await web_text(body, "latin-1", BASE, BoundedProcess(), plain=False)
    assert found == to_text(body, "latin-1", BASE, plain=False)
    assert found.text.startswith("## Head\n\nSee [more](https://site.example/docs/x) gr\u00fc\u00df.")


async def test_other_tasks_go_on_while_a_large_page_is_converted() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await web_text(b"<p>text</p>" * 400_000, "", BASE, BoundedProcess(), plain=False)
    counting.cancel()
    assert turns > 1_000


@settings(deadline=None)
@given(st.text(alphabet="<>/!-'\"= abtdhrliulpe\n&;\x00", max_size=200), st.booleans())
def test_no_page_makes_the_converter_fail(html: str, plain: bool) -> None:
    assert "\x00" not in page(html, plain=plain).text
