"""The dashboard: `streamlit run app.py`."""

from pages.components.site import navigation

navigation().run()
