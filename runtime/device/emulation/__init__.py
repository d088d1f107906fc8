"""A phone in all but silicon: a SoC profile played on this machine's cores, clocks and energy included.

``python -m runtime.device.emulation SOC -- CMD`` runs CMD where /sys is that of SOC and where a core is
really as slow as the cluster and clock it plays. Everything that runs inside, a login by ssh
included, sees a phone. Numbers made there are ``emulated``.

    launcher.py   the outside: checks, starts the machine, hands on signals and the exit status
    init.py       process 1 of the machine: mounts its /sys, serves its files, ends with the command
    namespace.py  mounts; what this machine lacks for it
    notify.py     fanotify: learn of writes, refresh a file before it is read
    machine.py    the rules: what is written changes the state, what is read shows it
    pins.py       which processes run on the emulated CPUs
    processes.py  what /proc tells of them
    busy.py       how long they kept these CPUs busy
    devices.py    the files of battery, meters and thermal zones
    energy.py     measured power x time
    cores.py      the host's cores that play the phone's, shared with other emulated machines
    steal.py      the program that makes a core slow
    marker.py     how a process learns that it is inside, and which host core plays its CPU
"""
