from .chat_template import (
    check_messages as check_messages,
    encode_chat as encode_chat,
    has_chat_template as has_chat_template,
    render_chat as render_chat,
    turn_end_ids as turn_end_ids,
)
from .decoder import (
    Decoder as Decoder,
    Reading as Reading,
)
from .decoder_choice import make_decoder as make_decoder
from .estimates import (
    GenerationEstimate as GenerationEstimate,
    check_fits as check_fits,
    estimate_generation as estimate_generation,
)
from .text_stream import TextStream as TextStream
from .token_choice import (
    TokenChooser as TokenChooser,
    TokenSampling as TokenSampling,
)
