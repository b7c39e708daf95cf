"""Web pages become Markdown in linear time, whatever they hold."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.services.utilities.html_tokens import tokens
from cloud_native_mcp.services.utilities.markdown import convert

BASE = "https://site.example/docs/page"


async def markdown(html: str) -> str:
    return (await convert(html, base_url=BASE)).text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h2>Two <em>words</em></h2>", "## Two *words*"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p>a <b>bold</b> and <code>code</code> <b></b></p>", "a **bold** and `code`"),
        ("a<br>b", "a\nb"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c"),
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<blockquote>q<blockquote>r</blockquote></blockquote>", "> q\n\n> > r"),
        ("<pre><code>a\n  b &lt; c</code></pre>", "```\na\n  b < c\n```"),
        ("<pre>has ``` inside</pre>", "````\nhas ``` inside\n````"),
        ("<a href='other'>t</a>", "[t](https://site.example/docs/other)"),
        ("<a href='//cdn.example/x y(1)'>t</a>", "[t](https://cdn.example/x%20y%281%29)"),
        ("<a href='javascript:alert(1)'>t</a> <a href='#top'>u</a> <a href='http://[bad'>v</a>", "t u v"),
        (
            "<img src=/i.png alt='A picture'><img src=data:image/png;base64,xx>",
            "![A picture](https://site.example/i.png)",
        ),
        ("<table><tr><th>A<th>B<tr><td>1<td>x|y</table>", "| A | B |\n| --- | --- |\n| 1 | x\\|y |"),
        ("<table><tr><td>only layout</table>", "only layout"),
        ("<table><tr><td>a<td><table><tr><td>b</table><tr><td>c<td>d</table>", "| a | b |\n| --- | --- |\n| c | d |"),
        ("<script>if (a < b) '</p>'</script><style>p{}</style>text", "text"),
        ("<svg><text>no</text></svg>yes<!-- <p>no</p> -->", "yes"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("<base href='https://other.example/'><a href=x>t</a>", "[t](https://other.example/x)"),
        ("1 < 2 && 3 > 2 &amp; &copy; &#x41;", "1 < 2 && 3 > 2 & \u00a9 A"),
        ("<p title='a>b' hidden>shown</p>", "shown"),
        ("", ""),
    ],
)
async def test_html_becomes_markdown(html: str, expected: str) -> None:
    assert await markdown(html) == expected


async def test_plain_text_has_no_marks() -> None:
    html = "<h1>H</h1><p><b>a</b> <a href=/x>link</a></p><ul><li>i</ul><table><tr><td>1<td>2<tr><td>3<td>4</table>"
    assert (await convert(html, base_url=BASE, plain=True)).text == "H\n\na link\n\n- i\n\n1\t2\n3\t4"


async def test_the_title_is_told_apart_from_the_text() -> None:
    found = await convert("<head><title>A &amp;\n B</title></head><body>text", base_url=BASE)
    assert (found.title, found.text) == ("A & B", "text")


ATTACKS = {
    "open tags": "<div>" * 60_000,
    "open lists": "<ul><li>" * 30_000,
    "open quotes": "<blockquote>x" * 30_000,
    "open attribute": '<a x="' * 60_000,
    "many attributes": "<a " + "x " * 500_000,
    "spaces": "<a" + " " * 1_000_000,
    "open comments": "<!--" * 100_000,
    "less-than signs": "<" * 100_000,
    "ampersands": "&" * 1_000_000,
    "links": "<a href=x>y" * 30_000,
    "cells": "<table><tr>" + "<td>x" * 60_000,
    "tables": "<table><tr><td>x" * 30_000,
    "scripts": "<script>" * 60_000,
    "marks": "<b>x" * 60_000,
    "long text": "word " * 500_000,
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_hostile_page_is_read_to_its_end_while_other_tasks_go_on(name: str) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    html = ATTACKS[name]
    found = await convert(html, base_url=BASE)
    counting.cancel()
    assert len(found.text) <= 3 * len(html)
    assert turns >= sum(1 for _ in tokens(html)) // 500


@given(st.text(alphabet="<>/!-'\"= abtdhrliulpe\n&;", max_size=200))
def test_no_page_makes_the_converter_fail(html: str) -> None:
    found = asyncio.run(convert(html, base_url=BASE))
    assert "\x00" not in found.text
