"""A machine for tests: a core whose numbers are round."""

from affekt.study.machines.machine import Machine

CORE = Machine(
    name="a core",
    device="cpu",
    threads=1,
    precision="fp32",
    overhead=1e-3,
    launch=1e-5,
    bandwidth=1e10,
    rates={"fp32": 1e11, "bf16": 2e11},
    decoding=300.0,
    writing=1e8,
    cores=2,
)
