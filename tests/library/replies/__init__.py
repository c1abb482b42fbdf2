"""Tests of kb.library.replies."""
