"""Headless Chromium with a fresh profile, and a person's way through glewlwyd's pages."""

import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from fakes.support import PATIENCE

FLAGS = ("--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--window-size=1000,800", "--lang=en")


class Browser:
    """A window of its own; ends in __exit__."""

    def __enter__(self):
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={self._profile}"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        return self

    def __exit__(self, *_):
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url):
        self.driver.get(url)

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def until(self, condition):
        return WebDriverWait(self.driver, PATIENCE).until(condition)

    def until_address(self, start):
        self.until(lambda driver: driver.current_url.startswith(start))

    def find(self, css):
        return self.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, css))[0]

    def press(self, label):
        path = f"//button[contains(., '{label}')]"
        self.until(lambda driver: driver.find_elements(By.XPATH, path))[0].click()

    def screenshot(self, path):
        assert self.driver.save_screenshot(str(path))

    def log_in_at_glewlwyd(self, user, scopes=("mail", "files")):
        """Login, consent, continue."""
        self.find("#username").send_keys(user[0])
        self.find("#password").send_keys(user[1])
        self.find("#loginbut").click()
        for scope in scopes:
            self.find(f"#grant-{scope}").click()
        self.press("Grant access")
        self.press("Continue")
