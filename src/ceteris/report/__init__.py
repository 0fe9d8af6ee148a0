"""The report: one self-contained HTML file per run, and the piece of it that a notebook shows.

Import from ``ceteris.report.page`` and ``ceteris.report.fragment``; this module stays light.
"""
