"""What a dataset holds: counted, and drawn."""

from edgekit.data.show.counts import Count, DatasetInfo, FieldInfo, describe_dataset, describe_datasets
from edgekit.data.show.sheet import check_sheet, draw_sheet, save_sheet

__all__ = [
    "Count",
    "DatasetInfo",
    "FieldInfo",
    "check_sheet",
    "describe_dataset",
    "describe_datasets",
    "draw_sheet",
    "save_sheet",
]
