from .app import make_app as make_app
from .limits import ServerLimits as ServerLimits
from .running_server import (
    BackgroundServer as BackgroundServer,
    check_address as check_address,
    check_installed as check_installed,
    is_loopback as is_loopback,
    listen as listen,
    serve as serve,
)
from .worker import GenerationWorker as GenerationWorker
