"""Tests of kb.questions."""
