"""The short way for the two hot requests, ``tools/list`` and plain ``tools/call``, around the protocol library.

It answers what the library would answer, the same JSON values at a tenth of the cost. Whatever it does not recognise it
leaves to the library: every error of form, paging, requests that carry state, tools with handlers of their own, and
sessions.
"""
