"""A few documents and how to ask for them, for the tests of engines."""

from __future__ import annotations

from typing import Any

from kb.documents import describe
from kb.engines import Clause, Document, Engine, Field, Group, Hits, Query
from kb.text import segment

PUBLIC, STAFF = "audience=public", "audience=internal"
EVERYONE = (frozenset({PUBLIC}),)


def doc(id: int, question: str, answer: str = "", *labels: str) -> Document:
    texts = {"question": [question], "answer": [answer]}
    return describe(id, texts, labels or (PUBLIC,))


TEXTS = Group((Field("question", 3.0, 0.6), Field("answer", 1.0, 0.5)), k1=1.2)


def ask(
    engine: Engine,
    words: str,
    *labels: frozenset[str],
    groups: Any = (TEXTS,),
    limit: int = 20,
) -> Hits:
    clauses = [Clause(word, 1.0) for word in dict.fromkeys(segment.words(words))]
    pairs = dict.fromkeys(segment.pairs(words))
    clauses += [Clause(pair, 0.5, pair=True) for pair in pairs]
    return engine.search(Query(tuple(clauses), groups, labels or EVERYONE, limit))


def put(engine: Engine, *documents: Document) -> None:
    with engine.writing() as changes:
        changes.put += documents


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
