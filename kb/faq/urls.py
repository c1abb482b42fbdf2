"""Addresses of the customer's door."""

from __future__ import annotations

from django.urls import path, register_converter

from kb.faq import ask, brand, inquiry, views, votes


class Token:
    """What Inquiry.token may look like; anything else is no address."""

    regex = "[A-Za-z0-9_-]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Token, "token")
app_name = "faq"
urlpatterns = [
    path("", views.home, name="home"),
    path("site.css", brand.stylesheet, name="site-css"),
    path("search/", views.search_page, name="search"),
    path("suggest/", views.suggestions, name="suggest"),
    path("c/<int:pk>/", views.category, name="category"),
    path("q/<int:pk>/", views.entry, name="entry-short"),
    path("vote/<int:pk>/", votes.vote, name="vote"),
    path("q/<int:pk>/<str:slug>/", views.entry, name="entry"),
    path("ask/", ask.page, name="ask"),
    path("ask/near/", ask.near, name="ask-near"),
    path("q/<token:token>/", inquiry.page, name="inquiry"),
    path("q/<token:token>/rate/", inquiry.rate, name="inquiry-rate"),
    path("q/<token:token>/<int:place>.webp", inquiry.picture, name="inquiry-picture"),
]
