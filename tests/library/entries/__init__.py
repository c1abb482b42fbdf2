"""Tests of kb.library.entries."""
