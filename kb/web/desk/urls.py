"""Addresses of the editors' desk."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from kb.web.desk import (
    answered_questions,
    draft_entries,
    due_reviews,
    entry_history,
    entry_reviews,
    inbox,
    low_ratings,
    open_questions,
    phrasing_proposals,
    relevance_tests,
    reply_feedback,
    reply_proposals,
    search_gaps,
    unhelpful_entries,
)

app_name = "desk"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="desk:inbox"), name="home"),
    path("inbox/", inbox.show_inbox, name="inbox"),
    path("inbox/<int:pk>/merge/", inbox.merge_question, name="merge"),
    path("inbox/<int:pk>/new/", inbox.create_entry, name="create"),
    path("inbox/<int:pk>/decline/", inbox.decline_question, name="decline"),
    path("inbox/<int:pk>/undo/", inbox.undo_sorting, name="undo"),
    path("drafts/", draft_entries.list_drafts, name="drafts"),
    path("drafts/<int:pk>/<slug:action>/", draft_entries.move_entry, name="move"),
    path("due/", due_reviews.list_due_entries, name="due"),
    path("due/<int:pk>/", due_reviews.confirm_entry, name="confirm"),
    path("history/<int:pk>/", entry_history.show_history, name="history"),
    path("history/<int:pk>/restore/", entry_history.restore_version, name="restore"),
    path("reviews/", entry_reviews.show_reviews, name="reviews"),
    path("reviews/<int:pk>/", entry_reviews.judge_review, name="judge-review"),
    path("phrasings/", phrasing_proposals.list_phrasing_proposals, name="phrasings"),
    path(
        "phrasings/<int:pk>/", phrasing_proposals.judge_phrasing, name="judge-phrasing"
    ),
    path("proposals/", reply_proposals.list_reply_proposals, name="proposals"),
    path(
        "proposals/<int:pk>/",
        reply_proposals.judge_reply_proposal,
        name="judge-proposal",
    ),
    path("gaps/", search_gaps.show_gaps, name="gaps"),
    path("gaps/<int:pk>/", search_gaps.settle_gap, name="settle-gap"),
    path("golden/", relevance_tests.show_relevance_tests, name="relevance-tests"),
    path(
        "golden/run/", relevance_tests.run_relevance_tests, name="run-relevance-tests"
    ),
    path(
        "golden/before/<int:pk>/",
        relevance_tests.show_publish_warning,
        name="publish-warning",
    ),
    path("asked/", open_questions.show_asked_question, name="asked"),
    path("asked/<int:pk>/", open_questions.handle_question_form, name="answer"),
    path("asked/<int:pk>/presence/", open_questions.report_presence, name="presence"),
    path("recorded/", open_questions.show_recorded_question, name="recorded"),
    path("answered/", answered_questions.list_answered_questions, name="answered"),
    path(
        "answered/<int:pk>/",
        answered_questions.show_answered_question,
        name="answered-one",
    ),
    path(
        "answered/<int:pk>/take-back/",
        answered_questions.take_back_answer,
        name="take-back",
    ),
    path("ratings/", low_ratings.list_low_ratings, name="ratings"),
    path("ratings/<int:pk>/", low_ratings.handle_low_rating, name="handle-rating"),
    path(
        "asked/<int:pk>/<int:place>.webp",
        open_questions.serve_attachment,
        name="attachment",
    ),
    path("unhelpful/", unhelpful_entries.list_unhelpful_entries, name="unhelpful"),
    path(
        "unhelpful/<int:pk>/",
        unhelpful_entries.handle_complaints,
        name="handle-complaints",
    ),
    path("remarks/", reply_feedback.list_reply_feedback, name="reply-feedback"),
    path(
        "remarks/<int:pk>/",
        reply_feedback.answer_reply_feedback,
        name="answer-feedback",
    ),
]
