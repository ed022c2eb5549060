"""The dashboard: `streamlit run app.py`."""

if __name__ == "__main__":  # the processes that predict for it import this file too, and draw no page
    from pages.components.site import guarded, navigation

    guarded(navigation().run)
