"""Tests of ``campaign/web/limits``."""
