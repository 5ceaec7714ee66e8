"""The kinds of land that generated satellite scenes show, and what they are made of."""

from dataclasses import dataclass

# Red, green and blue of the light sent back, and how much texture shows: all from 0 to 1.
COLOURS = {
    "soil": (0.44, 0.35, 0.27, 0.35),
    "clay": (0.50, 0.36, 0.26, 0.30),
    "sand": (0.66, 0.57, 0.44, 0.30),
    "gravel": (0.52, 0.47, 0.39, 0.45),
    "ploughed": (0.31, 0.24, 0.19, 0.25),
    "crop": (0.20, 0.31, 0.14, 0.22),
    "young": (0.34, 0.44, 0.24, 0.25),
    "stubble": (0.60, 0.54, 0.36, 0.18),
    "meadow": (0.29, 0.37, 0.20, 0.40),
    "dry": (0.46, 0.43, 0.28, 0.45),
    "scrub": (0.27, 0.29, 0.18, 0.85),
    "asphalt": (0.27, 0.27, 0.28, 0.08),
    "concrete": (0.50, 0.50, 0.48, 0.10),
    "verge": (0.42, 0.40, 0.32, 0.30),
    "track": (0.60, 0.52, 0.41, 0.15),
    "court": (0.40, 0.38, 0.35, 0.25),
    "tile": (0.56, 0.31, 0.23, 0),
    "slate": (0.36, 0.36, 0.39, 0),
    "light": (0.76, 0.75, 0.71, 0),
    "metal": (0.60, 0.64, 0.68, 0),
    "plaster": (0.68, 0.62, 0.52, 0),
    "tree": (0.13, 0.20, 0.10, 0),
}
CANOPY = (0.15, 0.23, 0.11)
WATER = (0.09, 0.15, 0.19)
SHALLOWS = (0.24, 0.36, 0.37)
BEACH = (0.70, 0.62, 0.49)
CLOUD = (0.90, 0.91, 0.93)
GREY = (0.36, 0.40, 0.24)  # what a sensor of one band makes of red, green and blue


@dataclass(frozen=True)
class Setting:
    """One kind of land. Lengths are in sides of a tile, where `scale` is 1."""

    share: float  # how often it comes up, beside the others'
    crops: tuple[str, ...]  # the first lies between the fields
    field: float  # the usual side of a field; 0: there are none
    rows: float  # share of the fields with rows
    wood: float  # a wood is where the patches' lattice is above this; from 3: there is none
    relief: float  # how strongly slopes shade the ground
    water: str  # sea, river, lake or nothing
    roads: tuple[int, int]  # the fewest, and one more than the most
    paving: str  # of roads and streets
    town: float  # blocks are built where the patches' lattice is below this
    block: tuple[float, float]  # sides of a block
    lots: tuple[int, int]  # houses along and across a block
    roofs: tuple[str, ...]
    height: float  # the usual length of a shadow
    gable: float  # how much the two sides of a roof differ in light
    court: str  # what fills a block; empty: the ground as it is
    street: float  # width
    trees: int  # on a tile's ground
    scale: float = 1.0


GREEN = ("meadow", "crop", "young", "stubble", "ploughed", "crop", "soil", "dry")
ARID = ("sand", "soil", "clay", "gravel", "dry")
SETTINGS = (
    Setting(  # a town of houses in gardens
        0.17, ("meadow", "dry", "crop"), 0.5, 0.3, 1.5, 0.04, "", (1, 3), "asphalt",
        1.1, (0.3, 0.16), (6, 2), ("tile", "tile", "slate", "light", "plaster"), 0.016, 0.28, "",
        0.02, 260,
    ),
    Setting(  # the middle of a city
        0.14, ("meadow", "court"), 0.5, 0, 2.2, 0.02, "river", (1, 3), "asphalt",
        1.6, (0.26, 0.2), (4, 3), ("light", "slate", "plaster", "metal", "tile"), 0.04, 0.05,
        "court", 0.03, 120,
    ),
    Setting(  # works and halls
        0.10, ("dry", "gravel", "meadow"), 0.4, 0, 2.0, 0.02, "", (1, 3), "asphalt",
        0.9, (0.4, 0.3), (2, 2), ("metal", "light", "slate", "metal"), 0.018, 0.08, "concrete",
        0.032, 50,
    ),
    Setting(  # fields and a village
        0.20, GREEN, 0.3, 0.7, 1.2, 0.05, "", (1, 3), "asphalt",
        -1.15, (0.22, 0.13), (4, 2), ("tile", "tile", "metal", "slate"), 0.012, 0.28, "",
        0.014, 90, 0.8,
    ),
    Setting(  # small fields along a river
        0.10, GREEN, 0.13, 0.5, 0.9, 0.06, "river", (1, 2), "track",
        -1.5, (0.2, 0.12), (4, 2), ("tile", "metal", "light"), 0.012, 0.25, "",
        0.012, 150, 0.7,
    ),
    Setting(  # desert
        0.11, ARID, 0, 0, 3, 0.16, "", (1, 3), "track",
        -1.3, (0.18, 0.16), (3, 3), ("plaster", "plaster", "light", "court"), 0.012, 0.04, "",
        0.016, 260, 0.75,
    ),
    Setting(  # a town of flat roofs in dry land
        0.08, ARID, 0.35, 0.2, 3, 0.07, "", (1, 2), "track",
        0.9, (0.2, 0.14), (5, 3), ("plaster", "light", "plaster", "court"), 0.014, 0.04, "",
        0.016, 60, 0.8,
    ),
    Setting(  # a coast
        0.12, ("dry", "meadow", "soil", "scrub"), 0.25, 0.3, 1.3, 0.05, "sea", (1, 2), "asphalt",
        0.5, (0.26, 0.15), (5, 2), ("tile", "light", "light", "slate"), 0.014, 0.22, "",
        0.018, 150,
    ),
    Setting(  # hills under wood, with a lake
        0.08, ("meadow", "scrub", "dry"), 0.45, 0.1, -0.1, 0.12, "lake", (1, 2), "track",
        -2.2, (0.2, 0.15), (3, 2), ("tile", "slate"), 0.012, 0.25, "",
        0.012, 160,
    ),
)  # fmt: skip
