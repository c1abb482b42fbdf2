"""A few documents and how to ask for them, for the tests of engines."""

from __future__ import annotations

from typing import Any

from kb.index.documents import make_document
from kb.index.engines import (
    Clause,
    Document,
    Engine,
    EngineHits,
    FieldGroup,
    Query,
    WeightedField,
)
from kb.text.chinese import tokenizer

PUBLIC, STAFF = "audience=public", "audience=internal"
EVERYONE = (frozenset({PUBLIC}),)


def doc(id: int, question: str, answer: str = "", *labels: str) -> Document:
    texts = {"question": [question], "answer": [answer]}
    return make_document(id, texts, labels or (PUBLIC,))


TEXTS = FieldGroup(
    (WeightedField("question", 3.0, 0.6), WeightedField("answer", 1.0, 0.5)), k1=1.2
)


def ask(
    engine: Engine,
    words: str,
    *labels: frozenset[str],
    groups: Any = (TEXTS,),
    limit: int = 20,
) -> EngineHits:
    clauses = [
        Clause(word, 1.0) for word in dict.fromkeys(tokenizer.tokenize_text(words))
    ]
    pairs = dict.fromkeys(tokenizer.extract_bigrams(words))
    clauses += [Clause(pair, 0.5, is_bigram=True) for pair in pairs]
    return engine.search(Query(tuple(clauses), groups, labels or EVERYONE, limit))


def put(engine: Engine, *documents: Document) -> None:
    with engine.open_writer() as changes:
        changes.documents += documents


QUESTIONS = """退货运费谁承担
如何申请退款
退款多久到账
发票抬头怎么改
电子发票怎么开
忘记密码怎么办
如何修改收货地址
订单多久发货
快递几天能到
优惠券怎么用
会员积分如何兑换
支付失败怎么办""".split()
