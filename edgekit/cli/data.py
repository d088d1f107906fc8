"""``edgekit data``: what a dataset holds, counted and drawn."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._options import out_option, output_options
from edgekit.cli._output import print_json, print_table, say
from edgekit.cli._progress import Steps
from runtime.extras import require


@click.command()
@click.argument("name", required=False)
@click.option("--data-root", type=click.Path(path_type=Path), help="Where the dataset's files are.")
@click.option("--image-size", type=click.IntRange(min=8), help="Height and width of the network's input.")
@click.option(
    "--show", type=click.IntRange(min=1), help="Draw so many examples with all that is known of them."
)
@click.option("--test", "of_test", is_flag=True, help="Draw examples to test on.")
@click.option("--check", is_flag=True, help="Read every example, so that a damaged file is found now.")
@out_option
@output_options
def data(name, data_root, image_size, show, of_test, check, out, as_json) -> None:
    """Print what the dataset NAME holds: examples, fields, sizes, classes.

    Without NAME the datasets are listed. Yours, below --data-root FOLDER:

    \b
      folder           CLASS/*.jpg
      mask-folder      images/*.jpg, masks/*.png of the same names, classes.txt
      coco             images/*, annotations.json, or train.json and test.json
      identity-folder  WHO/*.jpg
      clip-folder      CLASS/*.mp4, or CLASS/CLIP/*.jpg
      tunes            *.abc, *.mid
    All but the last may have train/ and test/ above them.

    \b
    Example:
      edgekit data coco --data-root ~/street --show 12 -o sheet.png
    """
    require("numpy", extra="train")
    with Steps() as steps:
        steps.wait_for("reading the data")
        from edgekit.data import load_dataset
        from edgekit.data.show import check_sheet, describe_dataset, describe_datasets, draw_sheet, save_sheet

        if name is None:
            known = describe_datasets()
            print_json(known) if as_json else print_table(("data", "what it is"), list(known.items()))
            return
        path = out or Path(f"{name}.png")
        if show:
            check_sheet(path)
        dataset = load_dataset(name, root=data_root, image_size=image_size)
        info = describe_dataset(dataset, reads_all=check, progress=steps.wait_for)
        if show:
            save_sheet(draw_sheet(dataset, show, of_test=of_test), path)
    if as_json:
        print_json(info)
        return
    say(info.headline())
    print_table(("field", "kind", "shape of one", "holds"), [one.row() for one in info.fields])
    if info.counts:
        counts = [(one.label, one.of, one.train, one.test) for one in info.counts]
        print_table(("class", "counted", "train", "test"), counts)
    if show:
        say(f"drawn: {path}")
