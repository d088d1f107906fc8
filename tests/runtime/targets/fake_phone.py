"""Phones that are not there, behind an ``adb`` program that is: paths of the phone lead into a folder.

Commands run in a real sh, files are real, clocks are a ``SocTree``; the benchmark programs print what
the real ones print, and take as long as the clock of the CPUs they are pinned to says.
"""

import os
import shutil
import textwrap
from pathlib import Path

from runtime.device.soc import load_profile
from runtime.device.soc.tree import SocTree

ADB = r"""
phones={phones}
serial=
while :; do
  case $1 in -s) serial=$2; shift 2 ;; -H) shift 2 ;; *) break ;; esac
done
command=$1; shift
echo "$command $*" >> $phones/../calls
case $command in
  devices)
    echo "List of devices attached"
    for phone in $phones/*; do
      [ -f $phone/state ] && printf '%s\t%s\n' "${{phone##*/}}" "$(cat $phone/state)"
    done
    echo; exit 0 ;;
  start-server|connect|disconnect) exit 0 ;;
esac
export PHONE=$phones/$serial
[ -f $PHONE/state ] || {{ echo "error: device '$serial' not found" >&2; exit 1; }}
state=$(cat $PHONE/state)
[ "$state" = device ] || {{ echo "error: device $state" >&2; exit 1; }}
root=$PHONE/root
case $command in
  forward)
    case $1 in
      --remove) exit 0 ;;
      --list) cat $PHONE/forwards 2>/dev/null; exit 0 ;;
    esac
    cat "$PHONE/forward/${{2#localabstract:}}" 2>/dev/null || {{ echo "adb: error: closed" >&2; exit 1; }} ;;
  reverse)
    [ -f $PHONE/on_reverse ] && . $PHONE/on_reverse
    exit 0 ;;
  push)
    for last; do :; done
    cp "$1" "$root$last" || exit 1
    echo "$1: 1 file pushed" ;;
  shell)
    line=$(printf %s "$*" | sed "s#/data/local/tmp#$root/data/local/tmp#g; s#/data/misc#$root/data/misc#g; \
s#/sys/class#$root/sys/class#g; \
s#/sys/devices#$root/sys/devices#g; s#/sys/bus#$root/sys/bus#g; s#/proc/\\([a-z]\\)#$root/proc/\\1#g; \
s#/proc/[0-9]*/cmdline#$PHONE/cmdline#g")
    out=$PHONE/out.$$
    PATH=$PHONE/bin sh -c "$line" > $out 2>&1
    for policy in $root/sys/devices/system/cpu/cpufreq/policy*; do
      governor=$(cat $policy/scaling_governor 2>/dev/null) || continue
      khz=$(cat $policy/scaling_max_freq)
      if [ "$governor" = userspace ]; then
        asked=$(cat $policy/scaling_setspeed)
        case $asked in *[0-9]) khz=$asked ;; *) echo $khz > $policy/scaling_setspeed ;; esac
      fi
      echo $khz > $policy/scaling_cur_freq
    done
    # A cable that was pulled takes the output with it.
    [ "$(cat $PHONE/state 2>/dev/null)" = device ] || exit 255
    sed "s#$root##g" $out; rm -f $out ;;
  *) echo "adb: unknown command $command" >&2; exit 1 ;;
esac
"""

STUBS = {
    "getprop": r"""
        [ "$1" = ro.build.version.sdk ] && { cat $PHONE/sdk 2>/dev/null || echo 35; exit 0; }
        cat <<END
        [ro.build.fingerprint]: [google/oriole/oriole:15/AP4A:user/release-keys]
        [ro.build.version.release]: [15]
        [ro.product.cpu.abi]: [arm64-v8a]
        [ro.product.device]: [oriole]
        [ro.product.manufacturer]: [Google]
        [ro.product.model]: [Pixel 6]
        [ro.soc.model]: [Tensor GS101]
        END
    """,
    # Perfetto, in the background until it is asked to end: what it traced is what $PHONE/timeline holds.
    "perfetto": r"""
        while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
        cat > $PHONE/perfetto_config
        [ -f $PHONE/timeline ] || exit 1
        mkdir -p ${out%/*}
        (trap 'cp $PHONE/timeline $out; exit 0' TERM; n=0
         while [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done) > /dev/null 2>&1 < /dev/null &
        echo $!
    """,
    "uname": '[ "$1" = -m ] && echo aarch64 || echo 5.10.198-android13-4',
    "id": '[ -n "$IS_ROOT" ] && echo "uid=0(root) gid=0(root)" || echo "uid=2000(shell) gid=2000(shell)"',
    "taskset": r"""
        case $1 in -p|-ap)
          # Of the browser's threads, which are this machine's: where they were put is only noted.
          all=$1; shift; mask=; [ $# = 2 ] && { mask=$1; shift; }
          tids=$1; [ $all = -ap ] && tids=$(ls /proc/$1/task 2>/dev/null)
          mkdir -p $PHONE/masks
          for tid in $tids; do
            echo "pid $tid's current affinity mask: $(cat $PHONE/masks/$tid 2>/dev/null || echo ff)"
            [ -n "$mask" ] && echo $mask > $PHONE/masks/$tid
          done
          exit 0 ;;
        esac
        mask=$((0x$1)); shift
        cpus= cpu=0
        while [ $cpu -lt 8 ]; do
          [ $((mask >> cpu & 1)) = 1 ] && cpus=$cpus${cpus:+,}$cpu
          cpu=$((cpu + 1))
        done
        status=$PHONE/root/proc/self/status
        [ -f $PHONE/cpuset ] && cpus=$(cat $PHONE/cpuset)
        printf 'Cpus_allowed_list:\t%s\n' "$cpus" > $status
        "$@"
        got=$?
        printf 'Cpus_allowed_list:\t0-7\n' > $status
        exit $got
    """,
    "dumpsys": r"""
        case $1 in
          battery) printf 'Current Battery Service state:\n  USB powered: true\n  status: 2\n  level: 81\n' ;;
          power) cat $PHONE/power 2>/dev/null || printf '  mWakefulness=Awake\n' ;;
          window) cat $PHONE/window 2>/dev/null || \
            printf '  KeyguardServiceDelegate\n    showing=false\n    showingAndNotOccluded=true\n' ;;
          display) printf 'DisplayDeviceInfo{"Built-in Screen": 1080 x 2400, modeId 1, supportedModes ['
            for hz in $(cat $PHONE/rates); do printf '{id=1, width=1080, fps=%s}, ' $hz; done
            printf '], colorMode 0}\n' ;;
          SurfaceFlinger)
            case $2 in
              --list) cat $PHONE/layers 2>/dev/null ;;
              --latency)
                cat $PHONE/period_ns
                [ -n "$3" ] && [ "$3" = "$(cat $PHONE/drawn)" ] && tail -n 127 $PHONE/ring
                true ;;
            esac ;;
          *) cat $PHONE/thermal 2>/dev/null || printf 'IsStatusOverride: false\nThermal Status: 0\n' ;;
        esac
    """,
    "log": 'echo "$3" >> $PHONE/logcat',
    "logcat": "cat $PHONE/logcat",
}
FILES = {
    "sys/class/thermal/thermal_zone0/type": "BIG",
    "sys/class/thermal/thermal_zone0/temp": "43500",
    "sys/class/power_supply/battery/type": "Battery",
    "sys/class/power_supply/battery/capacity": "81",
    "sys/class/power_supply/battery/status": "Charging",
    "proc/stat": "cpu  1 0 1 9 0 0 0 0 0 0\ncpu7 1 0 1 9 0 0 0 0 0 0",
}
TOOLS = (
    "base64",
    "cat",
    "chmod",
    "cp",
    "grep",
    "ls",
    "mkdir",
    "mv",
    "printf",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sleep",
    "tail",
    "touch",
)
SU = '[ "$1" = -c ] || exit 1\nIS_ROOT=1 exec sh -c "$2"'
# 2 ms per frame at the highest clock of the pinned CPU, in us; one frame of ten is a little slower.
LATENCY = r"""
cpu=$(sed 's/.*:.//; s/,.*//' $PHONE/root/proc/self/status); cpu=${cpu%%-*}
for policy in $PHONE/root/sys/devices/system/cpu/cpufreq/policy*; do
  case " $(cat $policy/related_cpus) " in *" $cpu "*) break ;; esac
done
us=$((2000 * $(cat $policy/cpuinfo_max_freq) / $(cat $policy/scaling_cur_freq)))
[ -f $PHONE/on_run ] && . $PHONE/on_run
"""
BENCHMARK_MODEL = r"""
for word; do
  case $word in
    --graph=*) model=${word#*=} ;;
    --num_threads=*) threads=${word#*=} ;;
    --num_runs=*) runs=${word#*=} ;;
    --warmup_runs=*) warmup=${word#*=} ;;
  esac
done
echo "INFO: STARTING!"
[ -f "$model" ] || { echo "ERROR: Failed to load model $model"; exit 1; }
echo "INFO: #threads used for CPU inference: [$threads]"
echo "INFO: count=$warmup first=$((us * 9)) curr=$us min=$us max=$((us * 9)) avg=$((us * 2)) std=7"
echo
if [ $runs = 1 ]; then echo "INFO: count=1 curr=$us"; else
  echo "INFO: count=$runs first=$us curr=$((us + 1)) min=$us max=$((us + 1)) avg=$us std=0"
fi
echo
echo "INFO: Inference timings in us: Init: 9, First inference: $((us * 9)), Warmup (avg): 1," \
  "Inference (avg): $us"
"""
EXECUTOR_RUNNER = r"""
for word; do
  case $word in
    --help) printf '  Flags from executor_runner.cpp:\n    -cpu_threads (x) type: int32\n'
            printf '    -num_executions (x) type: uint32\n'; exit 1 ;;
    --num_executions=*) runs=${word#*=} ;;
    --cpu_threads=*) threads=${word#*=} ;;
  esac
done
log=$PHONE/logcat  # where Android's build of ExecuTorch writes
echo "Resetting threadpool with num threads = $threads" >> $log
i=1
while [ $i -le $runs ]; do
  echo "Iteration $i of $runs: $((us / 1000)).$(printf %03d $((us % 1000)))000 ms" >> $log
  i=$((i + 1))
done
"""


class FakePhones:
    """Puts an ``adb`` on the PATH; ``add`` plugs a phone in."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder / "phones"
        self.folder.mkdir(parents=True)
        (folder / "calls").touch()
        adb = folder / "bin" / "adb"
        _script(adb, ADB.format(phones=self.folder))
        monkeypatch.setenv("PATH", f"{adb.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv("ANDROID_HOME", raising=False)
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
        for name in ("EDGEKIT_ADB_BENCHMARK_MODEL", "EDGEKIT_ADB_EXECUTOR_RUNNER"):
            monkeypatch.delenv(name, raising=False)

    def calls(self):
        """Return how often adb was called so far."""
        return len((self.folder.parent / "calls").read_text().splitlines())

    def add(self, serial, soc="gs101", is_rooted=False, governors=("schedutil", "performance", "userspace")):
        """Plug a phone in and return it."""
        phone = FakePhone(self.folder / serial)
        SocTree(load_profile(soc), phone.root, governors)
        for name, script in STUBS.items():
            _script(phone.path / "bin" / name, script)
        for name in TOOLS:
            (phone.path / "bin" / name).symlink_to(shutil.which(name))
        if is_rooted:
            _script(phone.path / "bin/su", SU)
        (phone.root / "data/local/tmp").mkdir(parents=True)
        phone.write("proc/self/status", "Cpus_allowed_list:\t0-7\n")
        (phone.root / "proc/uptime").symlink_to("/proc/uptime")
        phone.write("proc/sys/kernel/random/boot_id", f"boot-of-{serial}\n")
        for name, text in FILES.items():
            phone.write(name, text + "\n")
        cpu = "processor\t: {}\nCPU implementer\t: 0x41\nCPU part\t: {}\n\n"
        parts = ["0xd05"] * 4 + ["0xd0b"] * 2 + ["0xd44"] * 2
        phone.write("proc/cpuinfo", "".join(cpu.format(i, part) for i, part in enumerate(parts)))
        phone.refresh(60)
        (phone.path / "cmdline").write_text("com.android.chrome")
        phone.put_runner("benchmark_model", BENCHMARK_MODEL)
        phone.put_runner("executor_runner", EXECUTOR_RUNNER)
        phone.set_state("device")
        return phone


class FakePhone:
    """A phone's folder."""

    def __init__(self, path: Path):
        self.path, self.root = path, path / "root"

    def set_state(self, state):
        """Set what ``adb devices`` shows; ``None`` pulls the cable."""
        if state is None:
            (self.path / "state").unlink()
            for mark in self.root.glob("data/local/tmp/edgekit/*.watch"):
                mark.unlink()  # what a cable's shells run ends with it
        else:
            (self.path / "state").write_text(state)

    def write(self, name, text):
        """Write a file of the phone."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def listen(self, socket, port):
        """Have an abstract socket of the phone lead to a port of this machine."""
        (self.path / "forward").mkdir(exist_ok=True)
        (self.path / "forward" / socket).write_text(str(port))
        file = self.root / "proc/net/unix"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as sockets:
            sockets.write(f"0000000000000000: 00000002 00000000 00010000 0001 01 7 @{socket}\n")

    def say(self, service, text):
        """Have ``dumpsys SERVICE`` print ``text``: power, window, thermal."""
        (self.path / service).write_text(text)

    def refresh(self, *rates_hz):
        """Give the phone a display with these refresh rates, at the last of them now."""
        (self.path / "rates").write_text(" ".join(map(str, rates_hz)))
        (self.path / "period_ns").write_text(f"{round(1e9 / rates_hz[-1])}\n")

    def draw(self, layer, *others):
        """Have SurfaceFlinger list layers, of which the first is what ``present`` shows frames of."""
        (self.path / "layers").write_text("".join(f"{name}\n" for name in (*others, layer)))
        (self.path / "drawn").write_text(layer)
        (self.path / "ring").write_text("")

    def present(self, *times_ns):
        """Show frames of the drawn layer at these times of the phone's clock."""
        with (self.path / "ring").open("a") as ring:
            ring.write("".join(f"{time_ns - 9}\t{time_ns}\t{time_ns - 5}\n" for time_ns in times_ns))

    def masks(self):
        """Return where threads of others were put, of those that are still there."""
        noted = {int(file.name): file.read_text().strip() for file in (self.path / "masks").glob("*")}
        return {tid: mask for tid, mask in noted.items() if Path(f"/proc/{tid}").exists()}

    def set(self, name, text):
        """Change a file of the phone at once, as a driver does."""
        new = self.path / "new"
        new.write_text(text)
        new.replace(self.root / name)

    def put_runner(self, name, script, where="data/local/tmp"):
        """Put a benchmark program where its documentation says."""
        _script(self.root / where / name, LATENCY + script)

    def on_run(self, script):
        """Run ``script`` whenever a benchmark program starts; it may set ``us``."""
        (self.path / "on_run").write_text(script)

    def cpufreq(self, policy, name):
        """Return what a cpufreq file holds."""
        return (self.root / f"sys/devices/system/cpu/cpufreq/policy{policy}/{name}").read_text().strip()

    def clocks(self):
        """Return everything that a run may change, to compare before and after."""
        names = ("scaling_governor", "scaling_min_freq", "scaling_max_freq")
        return [(p, name, self.cpufreq(p, name)) for p in (0, 4, 6) for name in names]


def _script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + textwrap.dedent(text).lstrip("\n") + "\n")
    path.chmod(0o755)
