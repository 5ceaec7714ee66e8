"""Sound files of kinds that are not read, by their marks: they are named, whatever their suffix."""

# Where a mark lies, the mark, what a file with it is.
MARKS = (
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyp", "HEIF or a video"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "EPS"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"PK\x03\x04", "a zip"),
    (128, b"DICM", "DICOM"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\x89HDF", "HDF5"),
    (0, b"CDF\x01", "NetCDF"),
    (0, b"CDF\x02", "NetCDF"),
    (0, b"\x93NUMPY", "NumPy"),
    (0, b"DDS ", "DDS"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"icns", "ICNS"),
    (0, b"Image type:", "IM"),
    (0, b"8BPS", "PSD"),
    (0, b"\x01\xda", "SGI"),
    (0, b"\x59\xa6\x6a\x95", "Sun raster"),
    (0, b"v/1\1", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"qoif", "QOI"),
    (0, b"gimp xcf", "XCF"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"<svg", "SVG"),
    (0, b"GRIB", "GRIB"),
    (0, b"BLP1", "BLP"),
    (0, b"BLP2", "BLP"),
    (0, b"PF\n", "PFM in colour"),
    (0, b"P7\n", "PAM"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x1f\x8b", "gzip"),
)
REACH = 132  # bytes from the start that have the last mark
TARGA = b"TRUEVISION-XFILE.\0"  # at the very end
PCX = 10  # a PCX's first byte
PCX_VERSIONS, PCX_BITS = {0, 2, 3, 4, 5}, {1, 2, 4, 8}  # its second and fourth
# Of a TGA without a mark: whether it has a palette, with which kinds of picture; bits of a pixel.
TARGA_KINDS = {(0, 2), (0, 3), (0, 10), (0, 11), (1, 1), (1, 9)}
TARGA_BITS = {8, 15, 16, 24, 32}


def kind(start: bytes, end: bytes) -> str:
    """Return what a file is by its first and last bytes; empty: no kind that has a name here."""
    for place, mark, name in MARKS:
        if start[place:].startswith(mark):
            return name
    if len(start) > 4 and start[0] == PCX and start[1] in PCX_VERSIONS and start[3] in PCX_BITS:
        return "PCX"
    if end.endswith(TARGA):
        return "TGA"
    plain = len(start) > 18 and (start[1], start[2]) in TARGA_KINDS and start[16] in TARGA_BITS
    return "TGA" if plain and any(start[12:14]) and any(start[14:16]) else ""
