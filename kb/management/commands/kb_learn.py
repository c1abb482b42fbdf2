"""Let evidence age, and forget what is old: once a night is right."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from kb import audit, feedback, gaps, inquiries, reads, reminding


class Command(BaseCommand):
    help = "让搜索学到的东西随时间变淡，清掉过期的搜索记录。建议每晚运行一次。"

    def handle(self, **options: Any) -> None:
        changed, old = feedback.learn()
        old += reads.forget() + audit.forget()
        gaps.gather()
        old += gaps.tidy()
        self.stdout.write(f"更新了 {changed} 条，清掉 {old} 条过期记录。")
        sent, forgotten = inquiries.tidy()
        self.stdout.write(f"补发 {sent} 封邮件，清掉 {forgotten} 位顾客的联系方式。")
        if reminded := reminding.remind():
            self.stdout.write(f"提醒了 {reminded} 位负责人复核。")
