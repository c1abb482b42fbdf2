"""Addresses of the agents' console: its pages, and what its scripts call."""

from __future__ import annotations

from django.urls import path

from kb.web.console import (
    announcements,
    copied_entries,
    follow_ups,
    my_replies,
    practice,
    preferences,
    question_capture,
    reply_feedback,
    search_misses,
    views,
    web_app,
)

app_name = "console"
urlpatterns = [
    path("", views.show_console, name="home"),
    path("notices/", announcements.show_announcements, name="notices"),
    path("pick/", copied_entries.record_copied_text, name="pick"),
    path("miss/", search_misses.record_search_miss, name="miss"),
    path("mine/", my_replies.show_my_replies, name="own-replies"),
    path("mine/new/", my_replies.edit_reply, name="own-reply-new"),
    path("mine/restore/", my_replies.restore_reply, name="own-reply-restore"),
    path("mine/copy/", my_replies.copy_reply, name="own-reply-copy"),
    path("mine/<int:pk>/", my_replies.edit_reply, name="own-reply-edit"),
    path(
        "mine/<int:pk>/<slug:action>/",
        my_replies.change_reply_state,
        name="own-reply-action",
    ),
    path("capture/", question_capture.capture_question, name="capture"),
    path("feedback/", reply_feedback.show_my_feedback, name="feedback"),
    path("next/", follow_ups.show_follow_ups, name="next"),
    path("practise/", practice.show_practice, name="practice"),
    path("practise/scores/", practice.show_scores, name="practice-scores"),
    path("favourite/", preferences.set_favorite, name="favourite"),
    path("settings/", preferences.edit_preferences, name="settings"),
    path("install/", web_app.show_install_page, name="install"),
    path("manifest.webmanifest", web_app.serve_manifest, name="manifest"),
]
