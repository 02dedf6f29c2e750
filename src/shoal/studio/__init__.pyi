from .app import make_studio as make_studio
from .server import (
    BackgroundStudio as BackgroundStudio,
    serve_studio as serve_studio,
)
from .settings import (
    StudioSettings as StudioSettings,
    make_settings as make_settings,
)
