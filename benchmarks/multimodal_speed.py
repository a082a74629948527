"""The audio-visual network on a clip, against real time: python benchmarks/multimodal_speed.py [--seconds 6]

Published sizes (raw sound by FFT, ResNet-50 at 96 px, LSTM 2 x 256), random weights, evaluation mode, float32, one clip
of noise. Each row is the fastest of some rounds, so that other work on the machine counts least; processor seconds are
those of all threads together. The direct convolution is asked for a second of sound alone, since it takes long.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from affekt.multimodal import AudioVisualNetwork, create_audio

FPS, SAMPLES = 25, 640


def clip(seconds: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sound, pictures and length of one clip."""
    frames = round(seconds * FPS)
    pictures = torch.randint(0, 256, (1, frames, 3, 96, 96), dtype=torch.uint8)
    return torch.rand(1, frames * SAMPLES) * 2 - 1, pictures, torch.tensor([frames])


def fastest(run: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Wall-clock and processor seconds, each the least of ``rounds``, after one that warms up."""
    run()
    found = []
    for _ in range(rounds):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        found.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(w for w, _ in found), min(p for _, p in found)


def line(name: str, seconds: float, taken: tuple[float, float]) -> str:
    wall, processor = taken
    return f"{name:34s}  {seconds:6.1f}  {wall:7.2f}  {processor:12.2f}  {seconds / wall:15.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    tasks = {"emotion": 4, "gender": 2}
    published, log_mel = AudioVisualNetwork(tasks).eval(), AudioVisualNetwork(tasks, audio="log-mel").eval()
    direct = create_audio("raw", options={"convolution": "direct"}).eval()
    audio, pictures, lengths = clip(args.seconds)
    second, _, of_a_second = clip(1.0)
    print(f"{args.threads} threads, torch {torch.__version__}")
    print(f"{'part':34s}  clip, s  wall, s  processor, s  times real time")
    with torch.inference_mode():
        for name, seconds, run in (
            ("published network", args.seconds, lambda: published(audio, pictures, lengths)),
            ("  sound alone, wide one by FFT", args.seconds, lambda: published.hearing(audio, lengths)),
            ("  sound alone, wide one by FFT", 1.0, lambda: published.hearing(second, of_a_second)),
            ("  sound alone, wide one directly", 1.0, lambda: direct(second, of_a_second)),
            ("with log-mel for raw sound", args.seconds, lambda: log_mel(audio, pictures, lengths)),
        ):
            print(line(name, seconds, fastest(run, 1 if "directly" in name else args.rounds)), flush=True)


if __name__ == "__main__":
    main()
