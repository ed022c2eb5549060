"""Encodings, files that are two things at once, archives and tables."""

import io
import stat
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.case import Case, cif, crystal_json, poscar, xyz
from tests.hostile.seeds import CRYSTALS, FIXED, archive, parquet

SALT = cif("Na 0 0 0")
FATAL = 1036  # bytes from the end: a length of statistics, which fuzzing found


def encodings() -> list[Case]:
    """Of a good file, and of none."""
    text = SALT.decode()
    return [
        Case(about="UTF-16", file="a.cif", content=text.encode("utf-16"), reason="not a text file"),
        Case(about="UTF-32", file="a.cif", content=text.encode("utf-32"), reason="not a text file"),
        Case(about="UTF-7", file="a.cif", content=text.encode("utf-7")),
        Case(about="EBCDIC", file="a.cif", content=text.encode("cp500"), reason="CIF|text"),
        Case(about="Latin-1", file="a.cif", content=b"# \xc5ngstr\xf6m\n" + SALT),
        Case(about="a byte order mark", file="a.cif", content=b"\xef\xbb\xbf" + SALT),
        Case(about="two byte order marks", file="a.cif", content=b"\xef\xbb\xbf" * 2 + SALT, reason="CIF"),
        Case(
            about="bytes of zero between", file="a.cif", content=SALT.replace(b"Na", b"N\0a"), reason="not a text"
        ),
        Case(about="bytes of zero behind", file="a.cif", content=SALT + bytes(99), reason="not a text"),
        Case(about="line ends of old Macintoshes", file="a.cif", content=SALT.replace(b"\n", b"\r")),
        Case(about="line ends of Windows", file="a.cif", content=SALT.replace(b"\n", b"\r\n")),
        Case(about="line ends of Unicode", file="POSCAR", content=poscar().replace(b"\n", "\u2028".encode())),
        Case(about="one endless line", file="a.cif", content=b"x" * 10**6, reason="CIF"),
        Case(
            about="one endless line of numbers", file="POSCAR", content=b"1 " * 500_000, reason="positions|known"
        ),
        Case(about="overlong UTF-8", file="a.cif", content=SALT.replace(b"Na", b"N\xc1\xa1"), reason="CIF"),
        Case(about="surrogates in UTF-8", file="a.cif", content=b"# \xed\xa0\x80\n" + SALT),
        Case(about="nothing", file="a.cif", content=b"", reason="empty"),
        Case(about="white space alone", file="a.cif", content=b" \n\t\r\n", reason="empty"),
        Case(about="every byte", file="a.cif", content=bytes(range(256)) * 100, reason="not a text"),
        Case(about="6 MiB", file="a.cif", content=b"#" * (6 * 1024**2), reason="larger than 5 MiB"),
        Case(about="2 MiB", file="a.cif", content=b"#" * (2 * 1024**2), reason="larger than 1 MiB"),
    ]


def polyglots() -> list[Case]:
    """Files that are two things at once: what is read is the crystal, or nothing."""
    page = b"#<!DOCTYPE html><html><script>window.acted=1</script>\n"
    both = crystal_json().replace(b"{", b'{\n"data_": "\ndata_x\n",', 1)
    return [
        Case(about="a CIF that is HTML", file="a.html", content=page + SALT),
        Case(
            about="HTML alone",
            file="a.cif",
            content=b"<html><body onload=window.acted=1>data_x</body>",
            reason="CIF",
        ),
        Case(
            about="SVG alone",
            file="a.svg",
            content=b"<svg xmlns='http://www.w3.org/2000/svg' onload='acted=1'/>",
            reason="not a known",
        ),
        Case(
            about="a CIF that is a ZIP",
            file="a.cif",
            content=SALT + archive([("b.cif", SALT)]),
            reason="not a text",
        ),
        Case(
            about="a ZIP with a CIF before it",
            file="a.zip",
            content=SALT + archive([("b.cif", SALT)]),
            reason="not a text",
        ),
        Case(about="a CIF that is YAML", file="a.cif", content=b"unit_cell: 1\n" + SALT, reason="CIF"),
        Case(about="JSON that is a CIF", file="a.cif", content=both, reason="JSON"),
        Case(about="a POSCAR that is an XYZ", file="a.xyz", content=poscar(title="2")),
        Case(about="an XYZ that is a CIF", file="a.cif", content=xyz(head='data_x Lattice="4 0 0 0 4 0 0 0 4"')),
        Case(about="a PDF", file="a.cif", content=b"%PDF-1.7\n" + SALT, reason="CIF"),
        Case(about="a PNG", file="a.cif", content=b"\x89PNG\r\n\x1a\n\0\0\0" + SALT, reason="not a text"),
        Case(about="an ELF", file="a.cif", content=b"\x7fELF\2\1\1\0" + SALT, reason="not a text"),
        Case(
            about="an e-mail", file="a.cif", content=b"From: x\nContent-Type: text/html\n\n" + SALT, reason="CIF"
        ),
    ]


def tables() -> list[Case]:
    """Parquet: a screening takes whole ones, a page none."""
    good = parquet(list(CRYSTALS.values()))
    length = struct.unpack("<I", good[-8:-4])[0]
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 600, pa.int32()), pa.array(["x" * 6 * 1024**2]))
    wide = pa.table({"cif": one})
    sink = io.BytesIO()
    pq.write_table(wide, sink, compression="zstd")
    page = "it is a Parquet table"
    many = parquet(list(CRYSTALS.values()) * 1300)
    group = many[:2000] + b"\xff" * 3000 + many[5000:]
    fatal = good[:-FATAL] + b"\x42" + good[1 - FATAL :]
    return [
        Case(about="a Parquet file cut short", file="a.parquet", content=good[: len(good) // 2], reason=page),
        Case(about="a Parquet file without its footer", file="a.parquet", content=good[:-8], reason=page),
        Case(
            about="a footer that is too long",
            file="a.parquet",
            content=good[:-8] + struct.pack("<I", 2**31) + b"PAR1",
            reason=page,
        ),
        Case(
            about="a footer that lies elsewhere",
            file="a.parquet",
            content=good[:-8] + struct.pack("<I", length // 2) + b"PAR1",
            reason=page,
        ),
        Case(
            about="a footer of noise",
            file="a.parquet",
            content=good[: -8 - length] + bytes(i * 7 % 256 for i in range(length)) + good[-8:],
            reason=page,
        ),
        Case(
            about="damaged rows",
            file="a.parquet",
            content=good[:4] + b"\xff" * 200 + good[204:],
            reason=page,
            rows=4,
        ),
        Case(about="a footer that ends pyarrow's process", file="a.parquet", content=fatal, reason=page),
        Case(about="damaged rows of one wide group", file="a.parquet", content=group, reason=page),
        Case(about="an empty Parquet file", file="a.parquet", content=b"PAR1PAR1", reason=page),
        Case(
            about="3.6 GB of text in a Parquet file",
            file="a.parquet",
            content=sink.getvalue(),
            reason=page,
            rows=600,
        ),
    ]


def linked(name: str, target: str) -> bytes:
    """A ZIP of one symbolic link."""
    one = zipfile.ZipInfo(name, FIXED)
    one.create_system, one.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as held:
        held.writestr(one, target)
    return sink.getvalue()


def archives() -> dict[str, bytes]:
    """ZIPs that are unpacked for a screening, by what is hostile in them."""
    good = archive([("a.cif", SALT), ("b.vasp", poscar())])
    names = (
        "../../x.cif",
        "/etc/x.cif",
        "..\\x.cif",
        "C:\\x.cif",
        "CON.cif",
        "a\u202ecif.exe",
        "x" * 300 + ".cif",
    )
    lies = bytearray(good)
    lies[22:26] = lies[good.rindex(b"PK\1\2") + 24 :][:4] = struct.pack("<I", 2**31 - 1)
    return {
        "path tricks in members": archive(
            [(name, SALT) for name in (*names, "\U00010330" * 200 + ".cif", "a\nb.cif")]
        ),
        "two members of one name": archive([("a.cif", SALT), ("A.cif", SALT), ("a.cif", poscar())]),
        "a symbolic link": linked("a.cif", "/etc/passwd"),
        "a link to a folder": linked("a", "/etc"),
        "members that are other formats": archive(
            [("a.txt", SALT), ("b.html", b"<b>"), ("c", poscar()), (".x.cif", SALT)]
        ),
        "a size that lies": bytes(lies),
        "a damaged stream": good[:60] + bytes(20) + good[80:],
        "bytes in the middle of the index": good.replace(b"PK\1\2", b"PK\1\3", 1),
        "cut short": good[: len(good) // 2],
        "locked": good.replace(b"PK\3\4\x14\0\0", b"PK\3\4\x14\0\1").replace(
            b"PK\1\2\x14\x03\x14\0\0", b"PK\1\2\x14\x03\x14\0\1"
        ),
        "no members": archive([]),
        "an unknown method": good.replace(b"\x08\0\0\0\x21\0", b"\x63\0\0\0\x21\0"),
    }
