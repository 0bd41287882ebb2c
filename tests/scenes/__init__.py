"""Scenes that many tests share: people, readers, pages, documents, processes."""
