"""Addresses of the customer's door, the same in every script."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from kb.faq import (
    ask,
    brand,
    crawling,
    embed,
    feeds,
    finding,
    inquiry,
    views,
    votes,
    widget,
)
from kb.faq.copies import kept


class Id(IntConverter):
    """A number that a row may have; a longer one would be too much for the database."""

    regex = "[0-9]{1,18}"


class Token:
    """What Inquiry.token may look like; anything else is no address."""

    regex = "[A-Za-z0-9_-]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Id, "id")
register_converter(Token, "token")
app_name = "faq"
latest = kept()(feeds.Latest())
urlpatterns = [
    path("", views.home, name="home"),
    path("site.css", brand.stylesheet, name="site-css"),
    path("feed/", latest, name="feed"),
    path("opensearch.xml", crawling.opensearch, name="opensearch"),
    path("search/", finding.search_page, name="search"),
    path("suggest/", finding.suggestions, name="suggest"),
    path("c/<id:pk>/", views.category, name="category"),
    path("c/<id:pk>/feed/", latest, name="category-feed"),
    path("c/<id:pk>/<str:slug>/", views.category, name="category-named"),
    path("q/<id:pk>/", views.entry, name="entry-short"),
    path("vote/<id:pk>/", votes.vote, name="vote"),
    path("q/<id:pk>/<str:slug>/", views.entry, name="entry"),
    path("ask/", ask.page, name="ask"),
    path("ask/near/", ask.near, name="ask-near"),
    path("q/<token:token>/", inquiry.page, name="inquiry"),
    path("q/<token:token>/rate/", inquiry.rate, name="inquiry-rate"),
    path("q/<token:token>/<int:place>.webp", inquiry.picture, name="inquiry-picture"),
    path("widget.js", embed.script, name="widget-js"),
    path("widget/start/", widget.start, name="widget-start"),
    path("widget/search/", widget.find, name="widget-search"),
    path("widget/entry/<id:pk>/", widget.entry, name="widget-entry"),
    path("widget/vote/<id:pk>/", widget.vote, name="widget-vote"),
    path("widget/ask/", widget.ask, name="widget-ask"),
    path("widget/demo/", embed.demo, name="widget-demo"),
    path("embed/", embed.frame, name="embed"),
]
