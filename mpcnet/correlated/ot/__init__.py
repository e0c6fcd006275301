"""Oblivious transfer between two parties: base transfers, their extension, and keys made of it."""
