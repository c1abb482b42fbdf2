"""Addresses of the editors' desk."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from kb.desk import (
    answered,
    asked,
    complaints,
    drafts,
    due,
    gaps,
    golden,
    history,
    phrasings,
    proposals,
    ratings,
    remarks,
    reviews,
    views,
)

app_name = "desk"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="desk:inbox"), name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/<int:pk>/merge/", views.merge, name="merge"),
    path("inbox/<int:pk>/new/", views.create, name="create"),
    path("inbox/<int:pk>/decline/", views.decline, name="decline"),
    path("inbox/<int:pk>/undo/", views.undo, name="undo"),
    path("drafts/", drafts.drafts, name="drafts"),
    path("drafts/<int:pk>/<slug:action>/", drafts.move, name="move"),
    path("due/", due.due, name="due"),
    path("due/<int:pk>/", due.confirm, name="confirm"),
    path("history/<int:pk>/", history.history, name="history"),
    path("history/<int:pk>/restore/", history.restore, name="restore"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<int:pk>/", reviews.judge, name="verdict"),
    path("phrasings/", phrasings.phrasings, name="phrasings"),
    path("phrasings/<int:pk>/", phrasings.judge, name="judge"),
    path("proposals/", proposals.proposals, name="proposals"),
    path("proposals/<int:pk>/", proposals.judge, name="proposal"),
    path("gaps/", gaps.gaps, name="gaps"),
    path("gaps/<int:pk>/", gaps.settle, name="gap"),
    path("golden/", golden.golden, name="golden"),
    path("golden/run/", golden.run, name="golden-run"),
    path("golden/before/<int:pk>/", golden.warning, name="golden-warning"),
    path("asked/", asked.asked, name="asked"),
    path("asked/<int:pk>/", asked.answer, name="answer"),
    path("asked/<int:pk>/presence/", asked.presence, name="presence"),
    path("recorded/", asked.recorded, name="recorded"),
    path("answered/", answered.answered, name="answered"),
    path("answered/<int:pk>/", answered.one, name="answered-one"),
    path("answered/<int:pk>/take-back/", answered.take_back, name="take-back"),
    path("ratings/", ratings.ratings, name="ratings"),
    path("ratings/<int:pk>/", ratings.handle, name="rating"),
    path("asked/<int:pk>/<int:place>.webp", asked.enclosure, name="enclosure"),
    path("unhelpful/", complaints.unhelpful, name="unhelpful"),
    path("unhelpful/<int:pk>/", complaints.handle, name="handle"),
    path("remarks/", remarks.remarks, name="remarks"),
    path("remarks/<int:pk>/", remarks.answer, name="remark"),
]
