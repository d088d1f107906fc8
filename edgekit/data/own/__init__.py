"""Your own data: folders of pictures with masks, COCO files, people, clips; read when they are needed."""

from edgekit.data.own import clip_folder, coco, identity_folder, mask_folder  # noqa: F401  (they register)
