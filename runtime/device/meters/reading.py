"""What a meter reads: one look at its sources, and the energy of a block of work."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.device.soc.profile import PowerBasis


@dataclass(frozen=True)
class Reading:
    """One look at a meter.

    Attributes:
        energy_mj: since the meter was made, all its rails together.
        time_s: of a clock that never goes back: the monotonic one, or the source's own.
        updates: how often the source was seen to give a new value so far.
        gaps: how often two looks were too far apart to join by a straight line.
        rails_mj: ``energy_mj`` rail by rail.
    """

    energy_mj: float
    time_s: float
    updates: int
    gaps: int = 0
    rails_mj: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EnergyReading:
    """Energy of a block of work. Gross: of all that hangs on the rails, idle machine included.

    Attributes:
        energy_mj: gross; ``None`` where it is unknown, and ``reason`` says why.
        duration_s: of the block.
        frames: that ran in it.
        source: which files of which device, or which model.
        provenance: ``measured``, ``modelled`` or ``emulated``.
        idle_mw: power of the same rails before the work, ``None`` where it was not measured.
        subtract_idle: whether the user asked for figures net of ``idle_mw``.
        rails_mj: gross energy of each rail.
        notes: decisions about units and signs, rails left out.
        reason: why there is no ``energy_mj``.
        basis: where the meter stands, as ``About`` has it.
    """

    energy_mj: float | None
    duration_s: float
    frames: int
    source: str
    provenance: str
    idle_mw: float | None = None
    subtract_idle: bool = False
    rails_mj: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reason: str | None = None
    basis: PowerBasis | None = None

    @property
    def counted(self) -> str | None:
        """What ``power_mw`` counts, and where; ``None`` where the rails decide."""
        if self.basis is None:
            return None
        is_net = self.subtract_idle and self.idle_mw is not None
        return f"{'net' if is_net else 'gross'} at the {self.basis}"

    @property
    def gross_mw(self) -> float | None:
        """Mean power over the block in mW."""
        if self.energy_mj is None or self.duration_s <= 0:
            return None
        return self.energy_mj / self.duration_s

    @property
    def net_mw(self) -> float | None:
        """Mean power over the block less the idle machine's in mW; ``None`` without a baseline."""
        gross_mw = self.gross_mw
        return None if gross_mw is None or self.idle_mw is None else gross_mw - self.idle_mw

    @property
    def power_mw(self) -> float | None:
        """The figure that was asked for: net if ``subtract_idle``, else gross."""
        return self.net_mw if self.subtract_idle else self.gross_mw

    @property
    def text(self) -> str:
        """Where the figure comes from, whether it is gross or net, or why there is none."""
        if self.gross_mw is None:
            return f"{self.source}: {self.reason or 'no time passed'}"
        where = f"{self.provenance}: {self.source}"
        if self.idle_mw is None:
            return (
                f"{where}; {'net was asked, but no idle power is known' if self.subtract_idle else 'gross'}"
            )
        if self.subtract_idle:
            return f"{where}; net: {self.gross_mw:.4g} mW less idle {self.idle_mw:.4g} mW"
        return f"{where}; gross, idle {self.idle_mw:.4g} mW included"
