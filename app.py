"""The dashboard: `streamlit run app.py`, which imports this file once and runs it for each step of a visitor."""

if __name__ == "__main__":
    from pages.components.site import guarded, navigation, settle

    page = navigation()
    guarded(page.run)
    settle(page.title)
else:
    from starlette.middleware import Middleware
    from streamlit.starlette import App

    from pages.components.shell import Shell
    from pages.components.start import ready

    app = App(__file__, lifespan=ready, middleware=[Middleware(Shell)])
