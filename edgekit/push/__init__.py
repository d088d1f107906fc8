"""Put edgekit and a bundle on a device that is reached over ssh."""

from edgekit.push.push import Pushed, push

__all__ = ["Pushed", "push"]
