"""The dashboard: `streamlit run app.py`."""

from pages.components.site import guarded, navigation

guarded(navigation().run)
