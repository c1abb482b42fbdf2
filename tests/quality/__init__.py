"""Tests of kb.quality."""
