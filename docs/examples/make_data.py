"""Write small data of every kind into the folder ``example-data``: the other examples read it.

python docs/examples/make_data.py
"""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

HERE = Path("example-data")
NAMES = ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九")
EACH, TEST_EACH = 40, 10


def images() -> None:
    """A folder of pictures, a subfolder for each class; the classes have Chinese names."""
    digits = load_digits()
    for label, name in enumerate(NAMES):
        own = digits.images[digits.target == label][: EACH + TEST_EACH]
        for number, pixels in enumerate(own):
            folder = HERE / "images" / ("train" if number < EACH else "test") / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray((pixels * 15.9).astype(np.uint8)).save(folder / f"{number:03}.png")


def flats() -> None:
    """A table with numbers, categories, missing values and a column that names the rows; an archive of it."""
    rng = np.random.default_rng(1)
    lines = ["flat,area,floor,district,heating,rent"]
    for number in range(200):
        area, floor = rng.uniform(20, 140), int(rng.integers(0, 8))
        district = ("north", "south", "harbour", "castle")[min(int(rng.exponential(0.9)), 3)]
        heating = "" if rng.random() < 0.1 else ("gas", "district")[int(rng.integers(2))]
        rent = 180 + 9.5 * area + 12 * floor + (160 if district == "harbour" else 0) + rng.normal(0, 40)
        lines.append(f"F{number:03},{area:.0f},{floor},{district},{heating},{rent:.0f}")
    (HERE / "flats.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with zipfile.ZipFile(HERE / "flats.zip", "w") as archive:
        archive.write(HERE / "flats.csv", "flats/flats.csv")


def series() -> None:
    """Arrays: windows of a noisy wave and the value that follows, with the day that each row is of."""
    rng = np.random.default_rng(2)
    wave = np.sin(np.arange(606) / 9) + 0.1 * rng.normal(size=606)
    windows = np.lib.stride_tricks.sliding_window_view(wave, 7)[:600]
    x, y = windows[:, :6].astype(np.float32), windows[:, 6].astype(np.float32)
    np.savez(HERE / "series.npz", x=x, y=y, day=np.arange(600) // 24)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    images()
    flats()
    series()
    print(*sorted(map(str, HERE.iterdir())), sep="\n")
