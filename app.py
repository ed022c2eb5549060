"""The dashboard: `streamlit run app.py`."""

from pages.components.starting import started

if started():
    from pages.components.site import guarded, navigation, settle

    page = navigation()
    guarded(page.run)
    settle(page.title)
