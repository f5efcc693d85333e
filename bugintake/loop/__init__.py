"""How it ends for the customer: releases, announcements, messages, delivery, the customer's page."""
