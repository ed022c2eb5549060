"""The dashboard: `streamlit run app.py`."""

if __name__ == "__main__":
    from pages.components.site import guarded, navigation, settle

    page = navigation()
    guarded(page.run)
    settle(page.title)
