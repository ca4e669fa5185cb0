"""The hosting of a server, put together as its settings say."""

import logging
import math
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import psutil

from visavis import models
from visavis.config import Settings
from visavis.conversation.clock import LoopClock
from visavis.conversation.conversation import Conversation
from visavis.conversation.persona import Persona
from visavis.errors import VisavisError
from visavis.hosting.answering import answerer
from visavis.hosting.calls import Calls
from visavis.hosting.engines import HouseModel, SharedEngines
from visavis.hosting.faces import Bundles, Faces
from visavis.hosting.hosting import Hosting, Worker, open_hosting
from visavis.hosting.meeting_tokens import SECRET_NAME
from visavis.hosting.place import Place, Tell
from visavis.hosting.plan import Plan
from visavis.hosting.slots import Machine, measured
from visavis.hosting.worker_process import WorkerProcess
from visavis.hosting.worker_protocol import ModelIs, WhereIsModel
from visavis.layers.builtin import start_speech
from visavis.layers.llm import LanguageModel
from visavis.layers.llm.built_in import BuiltInModel
from visavis.layers.llm.choice import LANGUAGE_MODELS, language_model
from visavis.layers.llm.speed import SpeedMemory
from visavis.layers.turn.words_judge import SmallModelJudge, words_judge
from visavis.outbound import outbound_of
from visavis.store import Store

_log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(settings: Settings, store: Store, persona: Persona, replica_id: str) -> AsyncIterator[Hosting]:
    """A hosting that takes calls at once; `persona`, with that face, is who most of them will be with.

    Raises `visavis.models.ModelMissingError`, `EngineError` for an engine that does not start, `StoreError`.
    """
    async with AsyncExitStack() as stack:
        house = HouseModel(lambda: language_model(settings, settings.llm))
        stack.push_async_callback(house.aclose)
        # A server whose own persona brings its language model may never need the one of the house.
        answering: LanguageModel = house if persona.layers.llm else await house.current()
        judge = await stack.enter_async_context(words_judge(answering))
        layers = await stack.enter_async_context(start_speech(answering, judge))
        engines = SharedEngines(layers, Faces(), outbound_of(settings), settings.mcp_commands)
        await _warm_up(engines, Plan(conversation_id="warming up", persona=persona, replica_id=replica_id))

        slots = _slots(settings, answering)
        threads = ThreadPoolExecutor(max_workers=slots, thread_name_prefix="render")
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)

        def here(tell: Tell) -> Place:
            return Calls(engines, answerer(settings), tell, threads)

        def workers(tell: Tell) -> Sequence[Worker]:
            needed = math.ceil(max(0, slots - settings.in_process_conversations) / settings.conversations_per_worker)
            return [WorkerProcess(settings, partial(_find_model, house, judge), tell) for _ in range(needed)]

        hosting = Hosting(
            store,
            here,
            workers,
            slots=slots,
            in_process=settings.in_process_conversations,
            per_worker=settings.conversations_per_worker,
            meeting_secret=await store.signing_secret(SECRET_NAME),
            name=settings.server_name or f"{socket.gethostname()}:{settings.port}",
            bundles=Bundles(store, settings.data.expanduser().absolute() / "replicas"),
            engines=engines,
        )
        yield await stack.enter_async_context(open_hosting(hosting))


async def _warm_up(engines: SharedEngines, plan: Plan) -> None:
    """Have the face loaded and the prompt read before the first call."""
    async with engines.layers(plan) as layers:
        await Conversation(
            plan.conversation_id, plan.persona, await engines.replica(plan), layers, LoopClock()
        ).prepare()


async def _find_model(house: HouseModel, judge: SmallModelJudge | None, wanted: WhereIsModel) -> ModelIs:
    """Where a language model of the house answers, for workers; they reach others by themselves."""
    found = ModelIs(request=wanted.request, model=wanted.model)
    try:
        running = judge if wanted.model == "words judge" else await house.current()
        if not isinstance(running, BuiltInModel | SmallModelJudge):
            return found.model_copy(update={"problem": f"the server has no built-in {wanted.model}"})
        server = running.server
        base_url = await server.ready()
    except VisavisError as error:
        return found.model_copy(update={"problem": str(error)})
    key = server.api_key.get_secret_value()
    return found.model_copy(update={"base_url": base_url, "api_key": key, "name": server.model.name})


def _slots(settings: Settings, answering: LanguageModel) -> int:
    if settings.max_conversations != "auto":
        return settings.max_conversations
    clause_s = None
    if isinstance(answering, BuiltInModel):
        large = models.manifest().model(LANGUAGE_MODELS["quality"])
        if answering.server.model.name in [file.name for file in large.files]:
            clause_s = SpeedMemory(settings.model_cache).recall(large.files[0].sha256)
    machine = Machine(psutil.cpu_count() or 1, psutil.virtual_memory().available, clause_s)
    slots, narrowest = measured(machine)
    _log.info("%d calls at once, because of this machine's %s", slots, narrowest)
    return slots
