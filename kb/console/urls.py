"""The addresses of the agents' console: the page, and what it tells back."""

from __future__ import annotations

from django.urls import path

from kb.console import (
    capture,
    mine,
    misses,
    next,
    notices,
    own,
    picks,
    practise,
    remarks,
    views,
    window,
)

app_name = "console"
urlpatterns = [
    path("", views.home, name="home"),
    path("notices/", notices.notices, name="notices"),
    path("pick/", picks.pick, name="pick"),
    path("miss/", misses.miss, name="miss"),
    path("mine/", mine.mine, name="mine"),
    path("mine/new/", mine.write, name="mine-new"),
    path("mine/restore/", mine.restore, name="mine-restore"),
    path("mine/copy/", mine.copy, name="mine-copy"),
    path("mine/<int:pk>/", mine.write, name="mine-edit"),
    path("mine/<int:pk>/<slug:what>/", mine.act, name="mine-act"),
    path("capture/", capture.capture, name="capture"),
    path("feedback/", remarks.mine, name="remarks"),
    path("next/", next.following, name="next"),
    path("practise/", practise.practise, name="practise"),
    path("practise/scores/", practise.scores, name="scores"),
    path("favourite/", own.favourite, name="favourite"),
    path("settings/", own.settings, name="settings"),
    path("install/", window.install, name="install"),
    path("manifest.webmanifest", window.manifest, name="manifest"),
]
