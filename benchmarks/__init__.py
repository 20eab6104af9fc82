"""Measurements; each module runs by a task of the Makefile."""
