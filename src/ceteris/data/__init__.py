"""Data: sources, download and cache, splits, preparation. NumPy only; networks are unknown here.

``load`` gives the training rows of a source, ``Preparation`` splits and scales them for a seed, ``load_test``
is the only way to the test rows.
"""

from ceteris.data.dataset import Dataset
from ceteris.data.download import Download
from ceteris.data.examples import example_grid
from ceteris.data.facts import class_counts, facts, preparation_facts
from ceteris.data.npz import save_arrays
from ceteris.data.preparation import Preparation, Prepared, check_content, prepare_rows
from ceteris.data.progress import Reading, ReadingLines
from ceteris.data.sources import SourceEntry, fetch, find_source, list_sources, load, load_test
from ceteris.data.split import Split, split_rows
from ceteris.data.user_arrays import arrays

__all__ = [
    "Dataset",
    "Download",
    "Preparation",
    "Prepared",
    "Reading",
    "ReadingLines",
    "SourceEntry",
    "Split",
    "arrays",
    "check_content",
    "class_counts",
    "example_grid",
    "facts",
    "fetch",
    "find_source",
    "list_sources",
    "load",
    "load_test",
    "preparation_facts",
    "prepare_rows",
    "save_arrays",
    "split_rows",
]
