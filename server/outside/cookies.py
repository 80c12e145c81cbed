"""Cookies of those who are asked: none is kept."""

from http.cookiejar import CookieJar, DefaultCookiePolicy


def no_cookies() -> CookieJar:
    """A jar that stays empty: a cookie that cannot be sent back would keep all later requests."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))
