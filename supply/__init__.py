"""The packages that this program is released with: locked, audited, listed with their licences."""
