"""The sign-in form: the element ``<watchword-sign-in>`` in one file, and a page that has it."""

from watchword_adapters.sign_in_page.page import COMPONENT, PageSettings, component, page, script, style

__all__ = ["COMPONENT", "PageSettings", "component", "page", "script", "style"]
