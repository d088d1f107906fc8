"""Scripts that read a page without trusting its own: they run in another world over the same document."""

from __future__ import annotations

from typing import Any

from runtime.errors import PageError
from runtime.visible import one_line
from runtime.web.browser.connection import Event
from runtime.web.browser.page import Page

_ANSWER_S = 10.0
_SLACK_S = 5.0  # beyond a script's own limit: a busy main thread begins with it late


class IsolatedWorld:
    """A place for our scripts in a page, in which no prototype is what the page made of it.

    The document is the page's. Names of elements hide its properties there too (a form whose input is called
    ``attributes``), so our scripts read through the getters of the prototypes.

    Args:
        page: loaded; the world is gone when it navigates.
        prelude: definitions that every script may use.

    Raises:
        WebError: the page hangs, or the browser is gone.
    """

    def __init__(self, page: Page, prelude: str = ""):
        self._page, self._prelude = page, prelude
        frame = page.call("Page.getFrameTree", _ANSWER_S)["frameTree"]["frame"]["id"]
        made = page.call("Page.createIsolatedWorld", _ANSWER_S, frameId=frame, worldName="edgekit")
        self._context: int = made["executionContextId"]

    def run(self, script: str, limit_ms: float) -> Any:
        """Return the JSON value of an expression.

        Args:
            script: an expression of JavaScript.
            limit_ms: after which it is stopped, besides what it waits for its turn.

        Raises:
            PageError: it throws, is stopped, or the page does not answer.
        """
        answer = self._page.call(
            "Runtime.evaluate",
            limit_ms / 1e3 + _SLACK_S,
            expression=f"(() => {{{self._prelude}\nreturn {script}}})()",
            contextId=self._context,
            returnByValue=True,
            timeout=limit_ms,
        )
        return _value(answer)

    def run_on(self, backend_node: int, function: str, limit_ms: float) -> Any:
        """Return the JSON value of a function of JavaScript that takes a node of the document.

        Args:
            backend_node: the browser's number of the node.

        Raises:
            PageError: it throws, or the page does not answer.
            WebError: there is no such node any more.
        """
        limit_s = limit_ms / 1e3 + _SLACK_S
        node = self._page.call(
            "DOM.resolveNode", limit_s, backendNodeId=backend_node, executionContextId=self._context
        )["object"]["objectId"]
        answer = self._page.call(
            "Runtime.callFunctionOn",
            limit_s,
            functionDeclaration=f"function() {{{self._prelude}\nreturn ({function})(this)}}",
            objectId=node,
            returnByValue=True,
        )
        return _value(answer)


def _value(answer: Event) -> Any:
    if (thrown := answer.get("exceptionDetails")) is not None:
        text = thrown.get("exception", {}).get("description") or thrown.get("text", "it threw")
        raise PageError(f"the page cannot be read ({one_line(text)[:200]}); load it again, or leave it out")
    return answer.get("result", {}).get("value")
