"""Pictures with boxes, outlines, keypoints and sentences in files of COCO's form."""

from edgekit.data.own.coco.dataset import load_coco

__all__ = ["load_coco"]
