"""Addresses of the public site, the same below every locale prefix."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from kb.publishing.page_cache import cache_public_page
from kb.web.faq import (
    ask_page,
    crawlers,
    feeds,
    inquiry_page,
    search_views,
    site_stylesheet,
    views,
    votes,
    widget_api,
    widget_frame,
)


class RowIdConverter(IntConverter):
    """The id of a row; a longer number is too large for the database."""

    regex = "[0-9]{1,18}"


class InquiryTokenConverter:
    """A value of Inquiry.token."""

    regex = "[A-Za-z0-9_-]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(RowIdConverter, "id")
register_converter(InquiryTokenConverter, "token")
app_name = "faq"
latest_entries_feed = cache_public_page()(feeds.LatestEntriesFeed())
urlpatterns = [
    path("", views.show_home, name="home"),
    path("site.css", site_stylesheet.serve_site_stylesheet, name="site-css"),
    path("feed/", latest_entries_feed, name="feed"),
    path("opensearch.xml", crawlers.serve_opensearch_description, name="opensearch"),
    path("search/", search_views.show_search_page, name="search"),
    path("suggest/", search_views.show_suggestions, name="suggest"),
    path("c/<id:pk>/", views.show_category, name="category"),
    path("c/<id:pk>/feed/", latest_entries_feed, name="category-feed"),
    path("c/<id:pk>/<str:slug>/", views.show_category, name="category-named"),
    path("q/<id:pk>/", views.show_entry, name="entry-short"),
    path("vote/<id:pk>/", votes.submit_vote, name="vote"),
    path("q/<id:pk>/<str:slug>/", views.show_entry, name="entry"),
    path("ask/", ask_page.show_ask_page, name="ask"),
    path("ask/near/", ask_page.show_answer_suggestions, name="ask-near"),
    path("q/<token:token>/", inquiry_page.show_inquiry, name="inquiry"),
    path("q/<token:token>/rate/", inquiry_page.rate_answer, name="inquiry-rate"),
    path(
        "q/<token:token>/<int:place>.webp",
        inquiry_page.serve_inquiry_picture,
        name="inquiry-picture",
    ),
    path("widget.js", widget_frame.serve_widget_script, name="widget-js"),
    path("widget/start/", widget_api.start_widget, name="widget-start"),
    path("widget/search/", widget_api.search_entries, name="widget-search"),
    path("widget/entry/<id:pk>/", widget_api.show_widget_entry, name="widget-entry"),
    path("widget/vote/<id:pk>/", widget_api.vote_on_entry, name="widget-vote"),
    path("widget/ask/", widget_api.ask_question, name="widget-ask"),
    path("widget/demo/", widget_frame.show_widget_demo, name="widget-demo"),
    path("embed/", widget_frame.show_widget_frame, name="embed"),
]
