"""What stops a training."""

from edgekit.training.hooks import Hook


class Interrupt(Hook):
    """Stops like Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_step_end(self, trainer):
        if trainer.epoch == self.epoch:
            raise KeyboardInterrupt
