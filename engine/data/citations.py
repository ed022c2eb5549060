"""How to cite the data sets, in one line that fits into a file."""

CITATIONS = {
    "petousis-2017": (
        "Petousis et al., Sci. Data 4, 160134 (2017), doi:10.1038/sdata.2016.134; Materials Project, CC BY 4.0"
    ),
    "matbench-dielectric": (
        "Dunn et al., npj Comput. Mater. 6, 138 (2020), doi:10.1038/s41524-020-00406-3; "
        "Materials Project, CC BY 4.0"
    ),
    "elastic-2015": (
        "de Jong et al., Sci. Data 2, 150009 (2015), doi:10.1038/sdata.2015.9; Materials Project, CC BY 4.0"
    ),
    "piezoelectric-2015": (
        "de Jong et al., Sci. Data 2, 150053 (2015), doi:10.1038/sdata.2015.53; Materials Project, CC BY 4.0"
    ),
    "flla-2015": (
        "Faber et al., Int. J. Quantum Chem. 115, 1094 (2015), doi:10.1002/qua.24917; Materials Project, CC BY 4.0"
    ),
    "materials-project": "Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323; CC BY 4.0",
}


def citation_of(source: str) -> str | None:
    """Of a data set by its name; None for one of the user's own."""
    return CITATIONS.get(source)
